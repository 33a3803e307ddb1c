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


def mistaken(rule: str, where: str, message: str) -> BundleError:
    """What to raise for one mistake after which a value cannot be read; its text is that of the mistake."""
    mistake = Mistake(rule, where, message)
    return BundleError(str(mistake), mistake=mistake)


class Mistakes(list[Mistake]):
    """The mistakes found so far."""

    @contextmanager
    def caught(self) -> Iterator[None]:
        """A `mistaken` error raised inside is added, and the work goes on behind."""
        try:
            yield
        except BundleError as error:
            if error.mistake is None:
                raise
            self.append(error.mistake)

    def raise_any(self) -> None:
        """Raise one `BundleError` with a line a mistake, if there is any."""
        if self:
            raise BundleError("\n".join(str(mistake) for mistake in self))
