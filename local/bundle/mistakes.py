"""What is wrong in the files of a bundle, as data: one `Mistake` each, and the list that collects them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from local.errors import BundleError


@dataclass(frozen=True)
class Mistake:
    """One mistake.

    *rule* is the id of the rule that it breaks (see `local.validate.rules`), *where* `file:line` or empty,
    *message* "found ...; expected .... Do this.", *job* and *task* the keys where there are any.
    """

    rule: str
    where: str
    message: str
    job: str = ""
    task: str = ""

    def __str__(self) -> str:
        inside = ", ".join(f"{kind} `{key}`" for kind, key in (("job", self.job), ("task", self.task)) if key)
        return ": ".join(part for part in (f"`{self.where}`" if self.where else "", inside, self.message) if part)


class Wrong(BundleError):
    """Raised for one mistake after which a value cannot be read; its text is that of the mistake."""

    def __init__(self, rule: str, where: str, message: str) -> None:
        self.mistake = Mistake(rule, where, message)
        super().__init__(str(self.mistake))


class Mistakes(list[Mistake]):
    """The mistakes found so far."""

    @contextmanager
    def caught(self) -> Iterator[None]:
        """What is raised as `Wrong` inside is added, and the work goes on behind."""
        try:
            yield
        except Wrong as error:
            self.append(error.mistake)

    def raise_any(self) -> None:
        """Raise one `BundleError` with a line a mistake, if there is any."""
        if self:
            raise BundleError("\n".join(str(mistake) for mistake in self))
