"""Alerts on certificates that are about to expire."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.exporters.blackbox import CERTIFICATE_EXPIRY
from obs.generate.derive.drafts import Case, Draft, Fact, Kit, Sample
from obs.generate.derive.samples import gauge
from obs.generate.derive.settings import Defaults
from obs.generate.derive.vocabulary import BY
from obs.generate.model import Duration, Threshold

EXPIRES_SOON = Defaults("ticket", Duration.parse("1h"), Duration.parse("14d").seconds, "s")
EXPIRES_VERY_SOON = Defaults("page", Duration.parse("10m"), Duration.parse("3d").seconds, "s")

_SITE = "https://shop.example"
_SHOWS = {"instance": _SITE}
#: How long a renewed certificate holds in the stories.
_RENEWED = Duration.parse("90d").seconds


def expires_soon(kit: Kit) -> Draft:
    """Return CertificateExpiresSoon: its renewal should have happened."""
    return _expires(kit, "CertificateExpiresSoon")


def expires_very_soon(kit: Kit) -> Draft:
    """Return CertificateExpiresVerySoon: in a few days every client will refuse the address."""
    return _expires(kit, "CertificateExpiresVerySoon")


def _expires(kit: Kit, name: str) -> Draft:
    metric, line = kit.names.metric(CERTIFICATE_EXPIRY.id), kit.settings.threshold
    left = Duration(int(line * 1000)).words
    return Draft(
        name=name,
        expr=f"min by ({BY}, instance) ({kit.names.selector(metric)}) - time() < {line:f}",
        signals=(CERTIFICATE_EXPIRY.id,),
        threshold=Threshold(line, "s", "<", f"the certificate expires within {left}"),
        summary="{{ $labels.service }}: the certificate of {{ $labels.instance }} expires in {{ $value | humanizeDuration }}",
        description=(
            "The certificate of {{ $labels.instance }} ({{ $labels.service }}, {{ $labels.environment }}) expires in "
            f"{{{{ $value | humanizeDuration }}}}; the alert watches for less than {left}. "
            "From then on clients refuse to connect."
        ),
        cases=_cases(kit, metric, line),
        window=Duration(0),
    )


def _cases(kit: Kit, metric: str, line: Decimal) -> tuple[Case, ...]:
    wait, step = kit.for_steps, kit.step.seconds
    # Stories begin at the epoch, so an end of validity is the time left at their beginning.
    near, far = (line * Decimal("0.98")).quantize(Decimal(1)), line + (wait + 3) * step

    def valid(*track: tuple[int, Decimal | None]) -> tuple[Sample, ...]:
        return (Sample(metric, _SHOWS, gauge(track)),)

    def firing(at: int, end: Decimal) -> Fact:
        return Fact(at, "firing", ((_SHOWS, float(end - at * step)),))

    # At step 3 exactly `line` is left, a step later less.
    end = line + 3 * step
    facts = [Fact(3, "silent")]
    if wait:
        facts += [Fact(4, "pending"), Fact(3 + wait, "pending")]
    facts += [firing(4 + wait, end), Fact(6 + wait, "silent")]
    return (
        Case("fires", "less than the line is left", valid((wait + 2, near)), (firing(wait + 1, near),)),
        Case("silent", "more than the line is left", valid((wait + 2, far)), (Fact(wait + 1, "silent"),)),
        Case(
            "for", "time passes and it is renewed", valid((5 + wait, end), (3, end + _RENEWED)), tuple(facts)
        ),
        Case(
            "born",
            "a new address has an old certificate",
            valid((2, None), (wait + 3, near)),
            (Fact(2, "silent"), firing(3 + wait, near)),
        ),
        Case(
            "gone",
            "the probe ends",
            valid((wait + 2, near), (3, None)),
            (firing(wait + 2, near), Fact(wait + 3, "silent")),
        ),
    )
