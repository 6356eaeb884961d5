"""Child processes that decode what strangers sent, by native code, with limits and without secrets."""
