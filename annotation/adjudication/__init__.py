"""Adjudication: a further reader settles what readers' grades leave open; no grade is ever changed by it."""
