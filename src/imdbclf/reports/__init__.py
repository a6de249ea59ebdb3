"""Numbers to tables, figures and sentences; reads arrays and run folders, never a trainer."""
