"""Numbers: automated metrics, agreement, composites, leaderboards, exports."""
