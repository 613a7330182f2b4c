"""From a model's name to the provider that serves it; offline, without keys and without prices."""
