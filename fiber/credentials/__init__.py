"""Credentials that somebody gives out and that expire: keeping them fresh, and where AWS and Google keep them."""
