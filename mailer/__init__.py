"""Briefing mailer: from articles to every region's inbox."""

__version__ = "0.1.0"
