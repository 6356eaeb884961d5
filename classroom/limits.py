"""Every limit of the engine with its reason. Everything in a session that can grow has a limit here.

Counts are per session unless the name says otherwise; text is counted in characters, sizes are in bytes, times in
seconds.
"""

from typing import Final

# People
IDENTIFIER_LENGTH: Final = 128  # a UUID, an e-mail address or a prefixed key of an application fits
NAME_LENGTH: Final = 100  # a long double name with a title; more does not fit a tile
GRADE_LENGTH: Final = 20  # "Year 11, set 2"; more does not fit beside a name
PEOPLE: Final = 2_000  # a lecture of 1,000 and as many who joined and left again
CAPACITY: Final = 1_000  # the highest number of places in a session; the load tests reach it
# A link that drops every two minutes of a lesson makes this many visits; older visits are only added up.
VISITS_PER_PERSON: Final = 50
GRANTS_PER_PERSON: Final = 50  # more than the number of grantable permissions

# Session
TITLE_LENGTH: Final = 200  # one line of a calendar
DESCRIPTION_LENGTH: Final = 4_000  # two pages of text
EVENTS: Final = 200_000  # eight hours of a busy class are 20,000; ten times that is an attack
DURATION_S: Final = 12 * 3_600  # a school day with both breaks
AWAY_S: Final = 4 * 3_600  # a tutor who is away longer has gone home
GRACE_S: Final = 300  # a restarting laptop is back within five minutes
EXPIRY_S: Final = 7 * 86_400  # a scheduled session that did not start within a week never will
DRAFT_S: Final = 90 * 86_400  # a draft that was not changed for a term

# Chat
MESSAGE_LENGTH: Final = 4_000  # a screenful of code pasted by a student
MESSAGES_KEPT: Final = 2_000  # in memory; the log has the older messages
MESSAGE_FILES: Final = 10  # photographs of ten pages, as in an answer to an exercise
PINNED_MESSAGES: Final = 20  # more do not fit the panel
SLOW_MODE_S: Final = 600  # one message in ten minutes; slower is "closed"
MESSAGES_PER_MINUTE: Final = 60  # a person who types cannot exceed one message a second

# Files
FILE_NAME_LENGTH: Final = 200  # with Latin text, below the 255 bytes of most file systems
FILES: Final = 500  # ten for each of 50 students
FILE_SIZE: Final = 100 * 2**20  # a scanned script of 300 pages; video belongs in recordings
IMAGE_SIZE: Final = 20 * 2**20  # a photograph of a current phone
IMAGE_PIXELS: Final = 50 * 10**6  # the same; a decoder needs four bytes for each
PERSON_QUOTA: Final = 200 * 2**20  # two of the largest files
LIBRARY_FILES: Final = 500  # worksheets of two years, several a day
LIBRARY_QUOTA: Final = 2**30  # of one tutor; a school of 50 tutors fills 50 GiB at most
SESSION_QUOTA: Final = 2 * 2**30  # a small server can store this for each of 100 sessions

# Reactions and hands
REACTIONS_PER_WINDOW: Final = 10  # applause is welcome, a flood is not
REACTION_WINDOW_S: Final = 5.0  # the time that a reaction stays on the screen

# Questions
QUESTIONS: Final = 500  # ten for each of 50 students
OPEN_QUESTIONS_PER_PERSON: Final = 10  # a person with more first waits for an answer
QUESTION_LENGTH: Final = 1_000  # a paragraph
ANSWER_LENGTH: Final = 4_000  # the same as a chat message

# Polls
POLLS: Final = 100  # one every five minutes of a school day
POLL_QUESTION_LENGTH: Final = 500  # has to fit a phone together with the options
POLL_OPTIONS: Final = 20  # with more options, it is a form
OPTION_LENGTH: Final = 100  # one or two lines on a phone
RATING_STEPS: Final = 10  # the net promoter scale's eleven steps are 0-10; ours start at 1
SHORT_ANSWER_LENGTH: Final = 300  # two sentences
POLL_S: Final = 3_600  # a poll left open for an hour was forgotten

# Help
HELP_LENGTH: Final = 500  # what is wrong, in a sentence or two
HELP_REQUESTS: Final = 1_000  # twenty for each of 50 students

# Studio, slides, whiteboard
SCENES: Final = 50  # one for each of 50 students whose work is shown
DECKS: Final = 20  # a school day's lessons
DECK_PAGES: Final = 300  # the longest script that teachers sent us
BOARD_PAGES: Final = 50  # a board that is wiped every ten minutes of a school day
BOARD_UPDATE_SIZE: Final = 64 * 2**10  # a long stroke is below 4 KiB; a pasted image goes through files
BOARD_PAGE_SIZE: Final = 8 * 2**20  # 5,000 strokes are about 2 MiB
BOARD_UPDATES_KEPT: Final = 2_000  # updates after the last snapshot; it is due at a quarter of them
BOARD_SIZE: Final = 32 * 2**20  # all pages together: the memory that one session may use

# Exercises
EXERCISES: Final = 200  # four for each of 50 students
ASSIGNMENTS: Final = 20_000  # 200 exercises for 100 students
EXERCISE_LENGTH: Final = 8_000  # a worksheet's text
SUBMISSION_LENGTH: Final = 20_000  # an essay
SUBMISSION_FILES: Final = 10  # photographs of ten pages
NOTE_LENGTH: Final = 4_000  # a page of feedback
LINK_LENGTH: Final = 2_000  # the longest that browsers and mail programs handle

# Breakouts
BREAKOUTS: Final = 50  # a lecture of 100 in pairs
BREAKOUT_S: Final = 4 * 3_600  # an afternoon of group work

# Moderation
PINS: Final = 4  # pinned people who share the stage

# A joining person's state, in bytes of JSON. Each list that grows has a share of it. The rest, which is the data about
# each person, takes about 20,000 bytes for 50 people with names of 50 bytes and UUIDs as ids.
VIEW_SIZE: Final = 50_000  # a phone on a slow link loads this within a second
VIEW_TEXT: Final = 500  # characters of a text in a list; the page loads the full text when it is opened
VIEW_PEOPLE: Final = 200  # a larger audience is listed in pages
VIEW_CHAT: Final = 6_000
VIEW_PINNED: Final = 2_000
VIEW_QUESTIONS: Final = 4_000
VIEW_POLLS: Final = 3_500
VIEW_FILES: Final = 2_500
VIEW_HELP: Final = 2_000
VIEW_EXERCISES: Final = 4_000
VIEW_TITLES: Final = 1_000
VIEW_OBSERVED: Final = 2_000
VIEW_SCENES: Final = 1_500
VIEW_BOARD: Final = 1_500
VIEW_DECKS: Final = 2_000

# School
OCCURRENCES: Final = 500  # of one series in one window: a daily lesson for more than a year
WINDOW_S: Final = 400 * 86_400  # a school year with the holidays at both ends
SERIES_S: Final = 10 * 366 * 86_400  # a series is expanded up to this long after its start
EXCEPTIONS: Final = 200  # of one series: every lesson of a year moved
RECURRENCE_LENGTH: Final = 500  # the longest rule of a calendar program seen is about 120 characters
SERIES_COMPARED: Final = 1_000  # of one tutor, in one search for conflicts
REMINDERS: Final = 5  # of one session: a week, a day, an hour, ten minutes, at the start
PRESENCES: Final = 100_000  # of one tenant
ACTIVITY_LENGTH: Final = 140  # one line below a name
OFFLINE_S: Final = 300.0  # a person silent for this long is offline
WEEKLY_HOURS: Final = 50  # of one tutor
QUEUE: Final = 200  # of one tutor's office hours; the last would wait for days
VISITS_KEPT: Final = 100  # finished visits from which the wait is estimated
SLOT_S: Final = 600  # shorter appointments are a queue, which office hours have
SLOTS_WINDOW_S: Final = 35 * 86_400  # a month of a calendar with the weeks around it
BOOKINGS: Final = 1_000  # of one tutor, not yet over: every half hour of a term
BOOKINGS_PER_PERSON: Final = 5  # with one tutor, not yet over; more is a course
SET_ITEMS: Final = 30  # a lesson's exercises and polls; five hours of one each ten minutes
GROUP_MEMBERS: Final = 50  # a class
GROUPS: Final = 5_000  # of one tenant's courses in one log
COURSES: Final = 5_000  # of one tenant
ENROLMENTS: Final = 2_000  # of one course: the same as the people of a session
