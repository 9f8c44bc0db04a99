"""classroom: release problem sets and grade what comes back. Started as `python -m classroom`."""
