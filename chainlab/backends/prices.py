"""What a reply costs: the project's own prices first, then those of genai-prices. An unknown price is none, not zero.

The prices of genai-prices come with the package; nothing is fetched. It loads on first use.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from decimal import Decimal
from urllib.parse import urlsplit

from chainlab.config.settings import BackendConfig, Price
from chainlab.protocols import Usage
from chainlab.spec.budget import NANO

Cost = Callable[[Usage], int | None]
_MILLION = 1_000_000


def cost_of(settings: BackendConfig, model: str, adapter: str | None, prices: Mapping[str, Price]) -> Cost | None:
    """How a reply of this model is priced, in billionths of a unit; None: nobody knows its price."""
    configured = configured_cost(settings.name, model, adapter, prices)
    if configured is not None:
        return configured
    if settings.kind == "embedded":
        return no_cost
    if settings.base_url is None or _is_here(settings.base_url):
        return None
    return _listed(settings.base_url, model)


def configured_cost(backend: str, model: str, adapter: str | None, prices: Mapping[str, Price]) -> Cost | None:
    """What the settings say of a model's price, or of its backend's."""
    names = [f"{backend}:{model}", backend]
    if adapter is not None:
        names.insert(0, f"{backend}:{model}+{adapter}")
    return next((_own(prices[name]) for name in names if name in prices), None)


def no_cost(usage: Usage) -> int:
    """The price of what nobody sends a bill for."""
    return 0


def _own(price: Price) -> Cost:
    def cost(usage: Usage) -> int:
        cached = price.input if price.cached is None else price.cached
        units = (usage.tokens_in - usage.cached) * price.input + usage.cached * cached
        return round((units + usage.tokens_out * price.output) * NANO / _MILLION)

    return cost


def _listed(base_url: str, model: str) -> Cost | None:
    import genai_prices

    def total(usage: Usage) -> Decimal:
        used = genai_prices.Usage(
            input_tokens=usage.tokens_in,
            output_tokens=usage.tokens_out,
            cache_read_tokens=usage.cached or None,
        )
        found: Decimal = genai_prices.calc_price(used, model_ref=model, provider_api_url=base_url).total_price
        return found

    try:
        total(Usage(1, 1))
    except LookupError:
        return None

    def cost(usage: Usage) -> int | None:
        try:
            return round(total(usage) * NANO)
        except (LookupError, ValueError):  # more was cached than sent: what a server says need not add up
            return None

    return cost


def _is_here(base_url: str) -> bool:
    """Whether a server is one of the user's own: no list has its prices."""
    host = urlsplit(base_url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost" or "." not in host
