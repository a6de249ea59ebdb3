"""Numbers to tables, plots and sentences; reads arrays and run folders, never a trainer."""
