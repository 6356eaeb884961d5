"""A school around its sessions: timetable, availability, presence, office hours, groups, courses."""
