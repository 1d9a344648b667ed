"""What this side's drive table believes, against what lies on disk and in the targets (docs/fsck.md)."""
