"""The suite `fallback`: the chain on a pretended build, the build here, ORT's own, placement."""
