"""`python scripts/export_data.py …` is `landbridge export-data …`, for schedules that call it so."""

import sys

from landbridge.cli.main import main

sys.argv[1:1] = ["export-data"]
main()
