"""The suite `concurrency`: what threads at once get is what each of them gets alone."""
