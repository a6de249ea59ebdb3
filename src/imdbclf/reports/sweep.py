"""STUB"""
def write_sweep_report(folder): return folder
def print_sweep(report): print("REPORT", report)
