"""Parts of the rate limits: which limit holds for a call, what it will take, and what answers teach."""
