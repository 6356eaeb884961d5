"""The routes of a school: courses, study groups, office hours, timetables, presence."""
