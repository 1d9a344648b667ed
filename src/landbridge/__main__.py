"""`python -m landbridge`."""

from landbridge.cli.main import main

if __name__ == "__main__":
    main()
