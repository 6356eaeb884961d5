"""One film of a recording: what was large, who spoke in the corner, all voices mixed. A child process; needs PyAV."""
