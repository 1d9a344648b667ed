"""An identity file that the age program locked with a passphrase: made for tests, and for nothing else."""

PASSPHRASE = "five words nobody has said"
RECIPIENT = "age16zrpl9zz5fevte9082ngkz2uff7n3df9hwz0qhfq7l6mrgrqc56s0qcvgd"
LOCKED = """\
-----BEGIN AGE ENCRYPTED FILE-----
YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwdCAwcW95eVJRdHQ4YmFqT2dR
YmRuWll3IDE4CmlyeTVMeVZBVm5aa0M3RGpHdG8zVm9HeVhVcGVLZWo4ZWIwZGFh
YVVYTjAKLS0tIFExc2t3YU5VaDlESHpoVkFaWFhaUzY4dm51UC9rNjhTdnZGd090
MVBzRkUKGPQBDBBpVD9eQ/yfGrsCw9qww6LCG7CvgypG5jhNdwgsIHNtb8lKDvY1
QbmFgb57krsuGH79uIJKZqUSdVeoGVQxj9nsjJeKFkyQjnWg+gLN6EGObOfoelvh
uk8x34dJMhGK6adlqG+t+9bY2pqVU9/pe+qgLb1creZlNA5b3NP5rAAWzzzPgY/1
iOesKGjyDJQOYH0sc2aFWVbPfrejIfDnLJJT/WHZARLdXfiI/iu7OEmVUW+tjy57
7Psq3qdhYLhCNi+42z5xP0oCLD33uFHiXsyXkvjt
-----END AGE ENCRYPTED FILE-----
"""
