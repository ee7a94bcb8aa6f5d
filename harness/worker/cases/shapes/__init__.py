"""The suite `shapes`: every input gives numpy's values, or an error that names it."""
