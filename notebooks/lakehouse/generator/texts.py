"""Review titles and comments in Brazilian Portuguese, drawn from pools, without one call per row."""

import numpy as np
import pyarrow as pa
from faker import Faker

from lakehouse.generator.profile import Profile

_POOL = 300  # comments per mood

_TITLES = {
    "good": ("Recomendo", "Muito bom", "Ótimo", "Super recomendo", "Excelente", "5 estrelas", "Bom produto", "👍"),
    "fair": ("Regular", "Bom", "Razoável", "Demorou", "Esperava mais", "Produto ok"),
    "bad": ("Não recebi", "Não recomendo", "Péssimo", "Produto errado", "Decepcionada", "Atraso", "Veio com defeito"),
}
_SENTENCES = {
    "good": (
        "Produto de ótima qualidade", "Chegou antes do prazo", "Exatamente como anunciado", "Adorei, comprarei de novo",
        "Entrega rápida e bem embalado", "Recomendo a loja", "Igual à foto, muito bonito", 'Veio com o selo "original"',
        "Atendeu às minhas expectativas", "Nota 10, parabéns",
    ),
    "fair": (
        "O produto é bom, mas demorou", "A cor é um pouco diferente da foto", "Esperava um material melhor",
        "Veio sem manual", "Pelo preço, vale a pena", "A embalagem chegou amassada", "Entregou no prazo, nada mais",
        'O tamanho "único" ficou pequeno',
    ),
    "bad": (
        "Ainda não recebi o produto", "Comprei dois e veio só um", "O produto veio quebrado",
        "Já liguei, ninguém responde",
        "Quero meu dinheiro de volta", 'Diz "entregue", mas não chegou', "Veio o modelo errado", "Não funciona",
        "Paguei caro no frete e atrasou",
    ),
}  # fmt: skip
_MOODS = ("bad", "fair", "good")
_MOOD_OF_SCORE = np.array([0, 0, 0, 1, 2, 2])  # by score, 1 to 5


class Texts:
    """Pools of comments, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        faker = Faker("pt_BR")
        faker.seed_instance(seed)
        rng = faker.random
        messages, titles = [], []
        for mood in _MOODS:
            titles += [rng.choice(_TITLES[mood]) for _ in range(_POOL)]
            messages += [_message(faker, _SENTENCES[mood]) for _ in range(_POOL)]
        self._titles, self._messages = pa.array(titles), pa.array(messages)

    def titles(self, profile: Profile, score: np.ndarray, rng: np.random.Generator) -> pa.Array:
        """A title for the profile's share of reviews of each *score*, null for the others."""
        return self._draw(self._titles, "comment_title", profile, score, rng)

    def messages(self, profile: Profile, score: np.ndarray, rng: np.random.Generator) -> pa.Array:
        """A comment for the profile's share of reviews of each *score*, null for the others."""
        return self._draw(self._messages, "comment_message", profile, score, rng)

    @staticmethod
    def _draw(pool: pa.Array, name: str, profile: Profile, score: np.ndarray, rng: np.random.Generator) -> pa.Array:
        rate = np.array([0, *(profile.rate(f"{name}_{value}") for value in range(1, 6))])[score]
        at = _MOOD_OF_SCORE[score] * _POOL + rng.integers(0, _POOL, len(score))
        return pool.take(pa.array(at, mask=rng.random(len(score)) >= rate))


def _message(faker: Faker, sentences: tuple[str, ...]) -> str:
    rng = faker.random
    chosen = rng.sample(sentences, rng.choice((1, 1, 2, 2, 3)))
    text = rng.choice((". ", ", ", "\n", "! ")).join(chosen)
    ending = rng.choice(("", "", "", ".", "!!", "\n", " ", f" Att, {faker.first_name()}"))
    return text.upper() + ending if rng.random() < 0.06 else text + ending
