"""LiveKit's server API: Twirp calls of applications, and their part of the OpenAPI document."""
