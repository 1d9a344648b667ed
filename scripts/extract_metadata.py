"""`python scripts/extract_metadata.py …` is `landbridge extract-metadata …`, for schedules that call it so."""

import sys

from landbridge.cli.main import main

sys.argv[1:1] = ["extract-metadata"]
main()
