"""Composes a recording to one film: the scene, the speaker in the corner, all voices. A child process; needs PyAV."""
