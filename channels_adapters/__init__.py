"""Adapters: one module per channel, each turning a rendered message into one provider request.

No Django, no database, no Celery in here; see ``core.interface`` for the contract.
"""
