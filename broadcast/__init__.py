"""The engine and its screens: the only Django app."""
