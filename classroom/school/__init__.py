"""What lies around the sessions of a school: timetable, availability, presence, office hours, groups, courses."""
