"""One issue rendered for one region: HTML, text, subject, checksum. Rendering touches no I/O."""
