"""How people enter a room through the page of a Daily room."""
