"""`landbridge schema pipeline`."""

from landbridge.cli.text import print_json
from landbridge.config.pipelines.schema import pipeline_schema


def pipeline_command() -> None:
    """Print the JSON Schema of projects/NAME/config.yaml, for editors."""
    print_json(pipeline_schema())
