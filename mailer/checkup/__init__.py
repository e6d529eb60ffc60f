"""``mailer doctor``: is this installation fit to send? Looks, and changes nothing.

Every check answers ok, warn or fail with what to do, and a fault in one place never hides the
others. By itself the doctor asks nobody but this machine: a relay, a name server, a web address
elsewhere are asked only with ``online``. Nothing is mailed but with ``send_to``.
"""

from mailer.checkup.examination import examine
from mailer.checkup.findings import Check, worst

__all__ = ["Check", "examine", "worst"]
