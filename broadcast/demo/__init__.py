"""The demonstration: invented people in the real places of Bắc Ninh, and one campaign to all of them.

Every name and number is made up. No range of Vietnamese numbers is set aside for fiction, so the accounts that
come with them speak to the sandbox gateways only: no message of the demonstration leaves the machine.
"""

from .campaign import demo_campaign
from .officers import ADMINISTRATOR, APPROVER, PASSWORD, SENDER, WRITER

__all__ = ["ADMINISTRATOR", "APPROVER", "PASSWORD", "SENDER", "WRITER", "demo_campaign"]
