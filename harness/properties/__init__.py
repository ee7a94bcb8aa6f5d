"""Properties: what must hold for every example that Hypothesis draws, found false by searching."""
