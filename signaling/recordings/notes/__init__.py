"""Notes of recordings by a language model behind an OpenAI-compatible endpoint, if the operator has configured one."""
