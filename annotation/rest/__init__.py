"""The door for programs: one strict way of asking, listing, answering and refusing, shared by every room's api.py."""
