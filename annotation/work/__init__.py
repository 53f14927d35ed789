"""Long work that survives: jobs and their chunks, with lease, fence and attempts."""
