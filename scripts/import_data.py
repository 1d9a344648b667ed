"""`python scripts/import_data.py …` is `landbridge import-data …`, for schedules that call it so."""

import sys

from landbridge.cli.main import main

sys.argv[1:1] = ["import-data"]
main()
