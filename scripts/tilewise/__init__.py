"""Functions on arrays behind the workflow's rules, one module per subject."""
