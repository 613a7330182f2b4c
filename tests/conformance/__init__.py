"""
Recorded provider traffic, replayed through every adapter: `python -m tests.conformance`.

The recordings lie beside the repository in `../shared/wire`; without them there is nothing to run, which is fine on a
desk and a failure in CI. `recordings` reads them, `chunking` cuts streams up, `oracles` say what is in them, `replay`
takes one through its adapter, `fields` looks for members that nobody reads, `reviewed` lists the recordings that
rightly fail, and `report` counts.
"""
