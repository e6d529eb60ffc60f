"""The development inbox: a real SMTP server on loopback, its folder of mail, and a page."""
