"""
A server that misbehaves on purpose: the faults that clients of language models meet, by name.

`faults` is the table of all of them, one line each; `connection`, `heads`, `status`, `body`, `coding`, `framing`,
`stream` and `tls` hold the recipes, which are pure: they turn a good answer into a list of actions.
`actions` says what there is to do on a connection, `play` does it, `scene` is what a recipe sees, and `server` chooses
the fault by the URL.
"""
