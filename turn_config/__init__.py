"""The TURN relay's side of Lectern: credentials for participants and the configuration of coturn.

It knows neither rooms nor media; time and settings are arguments, and nothing here does I/O.
"""
