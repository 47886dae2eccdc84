import pytest

from broadcast.models.accounts import local_token


@pytest.fixture
def site(province, citizen):
    """The province's news page, an outlet like any other."""
    return citizen(province, "Trang tin tỉnh Bắc Ninh", "outlet", newsroom="bac-ninh")


@pytest.fixture
def put(client, site, account):
    """``put("12", {...})``: what the adapter sends; ``token``, ``method``, ``raw`` and headers can be bent."""
    default = local_token(account("enews_site"))

    def send(reference, data=None, *, site="bac-ninh", token=default, method="put", raw=None, **headers):
        headers = {"Authorization": f"Bearer {token}"} | headers if token is not None else headers
        kind = headers.pop("content_type", "application/json")
        body = raw if raw is not None else (data if data is not None else {})
        return getattr(client, method)(
            f"/outlets/newsroom/{site}/articles/{reference}", body, content_type=kind, headers=headers
        )

    return send


@pytest.fixture
def words():
    return {
        "title": "Lũ sông Thương đạt báo động 2, bà con ven sông cần kê cao đồ đạc",
        "summary": "Mực nước còn lên.",
        "body": "Mực nước **5,32 m**.\n\n## Điểm sơ tán\n\nCác trường học ở vùng cao.",
        "language": "vi",
        "category": "emergency",
        "media": [],
    }
