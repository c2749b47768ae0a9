"""The stored form of a matrix is read in slices, whatever its numbers are."""

import pytest

from gorchestrator.domain.documents import matrix_from_json, matrix_to_json

NUMBERS = (0, 1, -1, 7, 10**18, -(10**18))


@pytest.mark.parametrize("size", [0, 1, 2, 3, 100, 20_000, 200_000])
def test_a_matrix_comes_back_as_it_was_stored(size):
    cells = [NUMBERS[place % len(NUMBERS)] for place in range(size)]
    assert matrix_from_json(matrix_to_json(cells), lambda: None) == cells


def test_a_large_one_is_read_with_pauses():
    pauses = []
    text = matrix_to_json([0] * 1_000_000)
    assert len(matrix_from_json(text, lambda: pauses.append(1))) == 1_000_000
    assert len(pauses) > 20
