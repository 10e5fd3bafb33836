"""One alarm a file; further folders of alarms are further entries of this package's ``__path__``."""
