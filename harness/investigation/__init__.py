"""What asks cells about one failing case, as triage decides: over releases, axes, and causes."""
