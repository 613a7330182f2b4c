"""Parts of the budgets: what a call may use at most, what it used, and the ceilings of single calls."""
