from signaling.sessions_api.uploads import disposition


def test_a_name_cannot_leave_its_header():
    assert disposition('a"\r\nX: 1;é.txt', inline=False) == (
        "attachment; filename=\"a___X__1__.txt\"; filename*=UTF-8''a%22%0D%0AX%3A%201%3B%C3%A9.txt"
    )
