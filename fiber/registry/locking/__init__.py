"""The lockfile as text: where its statements stand, what it says, how it is edited, found and checked."""
