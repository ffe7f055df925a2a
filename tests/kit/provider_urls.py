"""The pages of the tests' OpenID Connect provider; imported only inside of it, by Django."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.views import ConnectDiscoveryInfoView

from tests.kit.provider import control


class Validator(OAuth2Validator):  # type: ignore[misc]
    oidc_claim_scope = None

    def get_additional_claims(self, request: Any) -> dict[str, Any]:
        claims: dict[str, Any] = json.loads(request.user.first_name)
        return claims


@csrf_exempt
def test(request: HttpRequest) -> HttpResponse:
    control(json.loads(request.body))
    return HttpResponse("done")


urlpatterns = [
    path("test/", test),
    path("login/", LoginView.as_view()),
    path(".well-known/openid-configuration", ConnectDiscoveryInfoView.as_view()),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
]
