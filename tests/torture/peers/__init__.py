"""The same faults played to other clients, graded by rules that fit them all."""
