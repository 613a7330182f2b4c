"""
The same torture by servers that nobody of us wrote: a second opinion on what our own faults may have forgotten.

Each of `fault_server`, `aimock`, `litellm` and `nginx` starts its server and says what to ask and what must come;
`playing` asks and grades.
"""
